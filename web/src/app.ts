// Starts the page: htmx for swaps, and a module for each element that names one.
import "htmx.org";
import { toast } from "./elements/toasts";
import { installShortcuts } from "./keys";
import { start } from "./registry";
import { _ } from "./texts";

installShortcuts();
start();
document.addEventListener("htmx:error", () => toast(_("Arcane did not answer."), "error"));
