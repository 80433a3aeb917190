// Copies what data-copy of a pressed button holds. One listener on the element serves all buttons in it.
import { _ } from "../texts";
import { toast } from "./toasts";

export function init(element: HTMLElement): void {
  element.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    if (!button || event.defaultPrevented) return;
    event.preventDefault();
    void copyText(button.dataset["copy"] ?? "");
  });
}

/** Puts `text` on the clipboard and says so. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(_("Copied"));
  } catch {
    toast(_("The browser did not allow copying"), "error");
  }
}
