// Asks the same question for a part of the time.
import { one } from "./dom";

/** Runs the page's form for the range between two moments in ms. */
export function zoomTo(from: number, to: number): void {
  const form = one<HTMLFormElement>("form.ask");
  one<HTMLInputElement>("input[name=range][value=custom]", form).checked = true;
  one<HTMLInputElement>("#range-from", form).value = localText(from);
  one<HTMLInputElement>("#range-to", form).value = localText(to);
  form.requestSubmit();
}

function localText(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
