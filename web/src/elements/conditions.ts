// Fields that count only while another one has certain values (data-when, data-when-is) are there only then.
// Without this script all of them are shown, and the server takes those that count.
export function init(form: HTMLElement): void {
  const dependent = [...form.querySelectorAll<HTMLElement>("[data-when]")];
  const apply = () => {
    for (const part of dependent) {
      const control = form.querySelector<HTMLSelectElement | HTMLInputElement>(`[name="${CSS.escape(part.dataset["when"] ?? "")}"]`);
      if (!control) continue;
      const value = control instanceof HTMLInputElement && control.type === "checkbox" ? String(control.checked) : control.value;
      const off = !(part.dataset["whenIs"] ?? "").split(" ").includes(value);
      part.toggleAttribute("data-off", off);
      for (const field of part.querySelectorAll<HTMLInputElement>("[required], [data-required]")) {
        field.toggleAttribute("data-required", true);
        field.required = !off; // what nobody sees cannot be filled in
      }
    }
  };
  form.addEventListener("change", apply);
  apply();
}
