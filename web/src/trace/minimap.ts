// The whole trace in a strip: where things are, where errors are, which part is shown. Dragging shows a part.
import type { TraceState } from "./state";

const EDGE_PX = 7;

export class Minimap {
  private readonly context: CanvasRenderingContext2D;

  constructor(
    private readonly box: HTMLElement, private readonly canvas: HTMLCanvasElement,
    private readonly shown: HTMLElement, private readonly state: TraceState,
  ) {
    this.context = canvas.getContext("2d")!;
    new ResizeObserver(() => this.paint()).observe(box);
    document.addEventListener("arcane:theme", () => this.paint());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    state.onChange((change) => {
      if (change === "zoom") this.frame();
      if (change === "tree") this.paint();
    });
    box.addEventListener("pointerdown", (event) => this.drag(event));
    box.addEventListener("dblclick", () => state.resetZoom());
    this.paint();
    this.frame();
  }

  private paint(): void {
    const { clientWidth: width, clientHeight: height } = this.box;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const { nodes, length } = this.state.tree;
    const colours = this.colours();
    const thick = Math.max(1, Math.min(3, (height - 4) / nodes.length - 0.5)) * ratio;
    const { context } = this;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const failed of [false, true]) {
      for (const node of nodes) {
        if (node.failed !== failed) continue;
        context.fillStyle = colours(failed ? "error" : node.kind);
        const x = (node.start / length) * this.canvas.width;
        const wide = Math.max(ratio, (node.duration / length) * this.canvas.width);
        context.fillRect(x, (2 + (node.index / nodes.length) * (height - 5)) * ratio, wide, thick);
      }
    }
  }

  /** Colours as the style sheet has them now, resolved once a paint. */
  private colours(): (kind: string) => string {
    const probe = document.createElement("i");
    probe.hidden = true;
    this.box.append(probe);
    const known = new Map<string, string>();
    for (const kind of ["plain", "error", ...new Set(this.state.tree.nodes.map((node) => node.kind))]) {
      probe.dataset["kind"] = kind;
      probe.style.color = "var(--c, var(--kind-plain))";
      known.set(kind, getComputedStyle(probe).color);
    }
    probe.remove();
    return (kind) => known.get(kind) ?? known.get("plain") ?? "gray";
  }

  private frame(): void {
    const { from, to } = this.state.zoom;
    const { length } = this.state.tree;
    this.shown.hidden = !this.state.zoomed;
    this.shown.style.left = `${(from / length) * 100}%`;
    this.shown.style.right = `${100 - (to / length) * 100}%`;
  }

  /** An edge moves an edge, the inside moves the whole, anywhere else draws a new part. */
  private drag(down: PointerEvent): void {
    if (down.button !== 0) return;
    const { length } = this.state.tree;
    const box = this.box.getBoundingClientRect();
    const at = (event: PointerEvent) => Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * length;
    const before = { ...this.state.zoom };
    const edge = (EDGE_PX / box.width) * length;
    const start = at(down);
    const mode = !this.state.zoomed ? "draw" : Math.abs(start - before.from) < edge ? "from" : Math.abs(start - before.to) < edge ? "to"
      : start > before.from && start < before.to ? "move" : "draw";
    const apply = (event: PointerEvent) => {
      const now = at(event);
      if (mode === "from") this.state.zoomTo(Math.min(now, before.to), before.to);
      else if (mode === "to") this.state.zoomTo(before.from, Math.max(now, before.from));
      else if (mode === "move") this.state.zoomTo(before.from + now - start, before.to + now - start);
      else if (Math.abs(now - start) > edge / 3) this.state.zoomTo(Math.min(start, now), Math.max(start, now));
    };
    this.box.setPointerCapture(down.pointerId);
    this.box.addEventListener("pointermove", apply);
    this.box.addEventListener("pointerup", () => this.box.removeEventListener("pointermove", apply), { once: true });
  }
}
