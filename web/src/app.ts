// Starts the page: htmx for swaps, and a module for each element that names one.
import "htmx.org";
import { start } from "./registry";
import { installShortcuts } from "./keys";

installShortcuts();
start();
