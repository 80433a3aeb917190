// A select that is found by typing: an input with a list box in front of the select, which keeps the value.
import { h } from "../dom";
import { _ } from "../texts";

export function init(box: HTMLElement): void {
  const select = box.querySelector("select");
  if (!select) return;
  const listId = `${select.id}-list`;
  const input = h("input", {
    class: "input", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "false",
    "aria-controls": listId, "aria-autocomplete": "list", id: `${select.id}-text`,
  });
  const list = h("div", { class: "combobox-list", role: "listbox", id: listId });
  list.hidden = true;
  const label = document.querySelector(`label[for="${select.id}"]`);
  label?.setAttribute("for", input.id);
  list.setAttribute("aria-label", label?.textContent?.trim() ?? "");
  for (const name of ["aria-invalid", "aria-describedby"]) {
    const value = select.getAttribute(name);
    if (value !== null) input.setAttribute(name, value);
  }
  select.hidden = true;
  box.append(input, list);
  let active = 0;

  const shown = () => select.selectedOptions[0]?.text ?? "";
  const matches = () => [...select.options].filter((option) => option.text.toLowerCase().includes(input.value.trim().toLowerCase()));
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    input.value = shown();
  };
  const choose = (option: HTMLOptionElement | undefined) => {
    if (option) {
      select.value = option.value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    close();
  };
  const draw = (options: HTMLOptionElement[]) => {
    active = Math.max(0, Math.min(active, options.length - 1));
    list.replaceChildren(...options.map((option, at) => {
      const row = h("div", { class: "combobox-option", role: "option", id: `${listId}-${at}`, "aria-selected": String(at === active) }, option.text);
      row.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(option); });
      return row;
    }));
    if (options.length === 0) list.append(h("div", { class: "combobox-none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, _("Nothing like that")));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    const current = list.children[active];
    if (current?.id) input.setAttribute("aria-activedescendant", current.id);
    current?.scrollIntoView({ block: "nearest" });
  };
  const open = () => { active = Math.max(0, select.selectedIndex); draw([...select.options]); input.select(); };

  input.value = shown();
  input.addEventListener("focus", open);
  input.addEventListener("click", () => { if (list.hidden) open(); });
  input.addEventListener("blur", close);
  input.addEventListener("input", () => { active = 0; draw(matches()); });
  input.addEventListener("keydown", (event) => {
    const options = list.hidden ? [] : input.value === shown() ? [...select.options] : matches();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) { open(); return; }
      active += event.key === "ArrowDown" ? 1 : -1;
      draw(options);
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      choose(options[active]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });
}
