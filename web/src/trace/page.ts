export function init(_element: HTMLElement): void {}
