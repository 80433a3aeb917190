// Arrow keys inside a menu, and the invoker's aria-expanded. Opening and closing is the browser's own.
export function init(menu: HTMLElement): void {
  const invoker = document.querySelector<HTMLElement>(`[popovertarget="${menu.id}"]`);
  invoker?.setAttribute("aria-expanded", "false");
  menu.addEventListener("toggle", (event) => {
    const open = (event as ToggleEvent).newState === "open";
    invoker?.setAttribute("aria-expanded", String(open));
    if (open) menu.querySelector<HTMLElement>(".menu-item, input:checked")?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const items = [...menu.querySelectorAll<HTMLElement>(".menu-item")];
    if (!step || items.length === 0) return;
    event.preventDefault();
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + step + items.length) % items.length]?.focus();
  });
}
