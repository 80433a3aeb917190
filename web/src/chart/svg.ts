// Building SVG, and dragging over it.
const SVG = "http://www.w3.org/2000/svg";

/** Returns an SVG element with attributes and children. */
export function s(tag: string, attributes: Record<string, string | number> = {}, ...children: (Node | string)[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Calls `done` with the part of the width that was dragged over. */
export function brush(svg: SVGElement, width: number, height: number, done: (from: number, to: number) => void): void {
  svg.addEventListener("pointerdown", (down) => {
    const event = down as PointerEvent;
    if (event.button !== 0 || (event.target as Element).closest("a")) return;
    const box = svg.getBoundingClientRect();
    const at = (move: PointerEvent) => Math.max(0, Math.min(width, ((move.clientX - box.left) / box.width) * width));
    const first = at(event);
    const mark = s("rect", { class: "brush", y: 0, height, x: first, width: 0 });
    svg.append(mark);
    svg.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent) => {
      const x = at(moved);
      mark.setAttribute("x", String(Math.min(first, x)));
      mark.setAttribute("width", String(Math.abs(x - first)));
    };
    const up = (ended: PointerEvent) => {
      svg.removeEventListener("pointermove", move);
      mark.remove();
      const x = at(ended);
      if (Math.abs(x - first) > 5) done(Math.min(first, x), Math.max(first, x));
    };
    svg.addEventListener("pointermove", move);
    svg.addEventListener("pointerup", up, { once: true });
  });
}
