// Choosing a preset applies it; typing a time means "custom".
import { one } from "../dom";

export function init(body: HTMLElement): void {
  const form = body.closest("form");
  const custom = one<HTMLInputElement>("input[value=custom]", body);
  const fields = [...body.querySelectorAll<HTMLInputElement>(".range-custom input")];
  for (const field of fields) field.addEventListener("input", () => { custom.checked = true; });
  body.addEventListener("change", (event) => {
    const radio = event.target as HTMLInputElement;
    if (radio.name !== "range") return;
    if (radio === custom) { fields[0]?.focus(); return; }
    for (const field of fields) field.value = "";
    form?.requestSubmit();
  });
  form?.addEventListener("submit", () => {
    const label = document.querySelector("[data-range-label] span");
    const chosen = body.querySelector<HTMLInputElement>("input[name=range]:checked");
    if (label && chosen) {
      label.textContent = chosen === custom
        ? `${fields[0]?.value ?? ""} … ${fields[1]?.value ?? ""}` : chosen.parentElement?.textContent?.trim() ?? "";
    }
    body.closest<HTMLElement>("[popover]")?.hidePopover();
  });
}
