// Runs before anything is drawn: marks that scripts run, so that nothing moves later, and tells the server the
// browser's time zone, so that times come rendered.
document.documentElement.classList.add("scripted");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`arcane_zone=${encodeURIComponent(zone)}`)) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `arcane_zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${secure}`;
}
export {};
