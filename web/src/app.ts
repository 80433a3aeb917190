// Starts the page: htmx for swaps, and a module for each element that names one.
import "htmx.org";
import { toast } from "./elements/toasts";
import { installShortcuts } from "./keys";
import { start } from "./registry";
import { _ } from "./texts";

installShortcuts();
start();
focusFirstError();
document.addEventListener("htmx:error", () => toast(_("Arcane did not answer."), "error"));

/** A form that was refused is gone on with where it was wrong. */
function focusFirstError(): void {
  const wrong = [...document.querySelectorAll<HTMLElement>('main [aria-invalid="true"]')];
  wrong.find((field) => field.checkVisibility())?.focus();
}
