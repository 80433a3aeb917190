// Switches the theme at once; the form's post keeps it for the next page.
export function init(form: HTMLElement): void {
  form.addEventListener("submit", (event) => {
    const chosen = (event as SubmitEvent).submitter;
    if (!(chosen instanceof HTMLButtonElement) || !(form instanceof HTMLFormElement)) return;
    event.preventDefault();
    const body = new FormData(form);
    body.set("theme", chosen.value);
    document.documentElement.dataset["theme"] = chosen.value;
    for (const button of form.querySelectorAll<HTMLButtonElement>("button[name=theme]")) {
      button.setAttribute("aria-pressed", String(button === chosen));
    }
    document.dispatchEvent(new CustomEvent("arcane:theme"));
    void fetch(form.action, { method: "POST", body, headers: { "hx-request": "true" } });
  });
}
