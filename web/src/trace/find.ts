// Search inside a trace: names, services, attributes, events, messages of failures. The texts to look in are made in
// slices, so that a large trace does not stop the page.
import type { Node, Tree } from "./tree";

const SLICE = 400;

export class Finder {
  private texts: string[] = [];
  matches: Node[] = [];
  private asked = 0;

  constructor(private tree: Tree) {}

  /** Looks in a tree that has grown from now on. */
  grow(tree: Tree): void {
    this.tree = tree;
    this.texts = [];
    this.asked += 1;
    this.matches = this.matches.map((node) => tree.byId.get(node.span.span_id)).filter((node): node is Node => node !== undefined);
  }

  /** Returns the spans that hold `text`, in drawing order; null when another search began meanwhile. */
  async find(text: string): Promise<Node[] | null> {
    const mine = ++this.asked;
    const wanted = text.trim().toLowerCase();
    if (!wanted) { this.matches = []; return []; }
    while (this.texts.length < this.tree.nodes.length) {
      for (const node of this.tree.nodes.slice(this.texts.length, this.texts.length + SLICE)) this.texts.push(textOf(node));
      await new Promise((resolve) => setTimeout(resolve));
      if (mine !== this.asked) return null;
    }
    this.matches = this.tree.nodes.filter((node) => this.texts[node.index]!.includes(wanted));
    return this.matches;
  }
}

function textOf(node: Node): string {
  const { span } = node;
  const events = span.events.map((event) => `${event.name} ${JSON.stringify(event.attributes)}`).join(" ");
  return `${span.name}\n${node.service}\n${span.span_id}\n${span.status_message}\n${JSON.stringify(span.attributes)}\n${events}`.toLowerCase();
}
