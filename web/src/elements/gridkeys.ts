// A grid that is walked by keyboard: j and k open the next and the previous row, digits give a label, Escape closes.
export function init(grid: HTMLElement): void {
  const links = () => [...grid.querySelectorAll<HTMLAnchorElement>("a.row-link")];
  const at = () => links().findIndex((link) => link.closest("tr")?.classList.contains("work-chosen"));
  document.addEventListener("keydown", (event) => {
    const target = event.target as Element;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog[open]")) return;
    if (event.key === "j" || event.key === "k") {
      const all = links();
      const next = all[Math.max(0, Math.min(all.length - 1, at() + (event.key === "j" ? 1 : -1)))];
      next?.click();
    } else if (event.key === "Escape") {
      document.querySelector<HTMLAnchorElement>(".work-drawer [data-close]")?.click();
    } else if (/^[1-9]$/.test(event.key)) {
      const form = document.querySelector("form[data-scoring]");
      form?.querySelector<HTMLButtonElement>(`[data-digit="${event.key}"]`)?.click();
    } else return;
    event.preventDefault();
  });
}
