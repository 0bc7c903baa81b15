// The page itself: its theme, what can be copied, which settings are shown; then all charts are drawn.

/** Light or dark: as the system has it, until the button says otherwise. */
function theme() {
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const tell = () => { button.textContent = isDark() ? "Light colors" : "Dark colors"; };
  try {
    const kept = localStorage.getItem("runner-theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch { /* a page from disk may not keep anything */ }
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("runner-theme", root.dataset.theme); } catch { /* as above */ }
    tell();
    redrawAll();
  });
  dark.addEventListener("change", () => { tell(); redrawAll(); });
  // paper is white, and what is folded away would be lost on it
  let before = null;
  addEventListener("beforeprint", () => {
    before = { theme: root.dataset.theme, opened: [...document.querySelectorAll("details:not([open])")] };
    root.dataset.theme = "light";
    printing = true;
    for (const part of before.opened) part.open = true;
    redrawAll();
  });
  addEventListener("afterprint", () => {
    if (!before) return;
    if (before.theme) root.dataset.theme = before.theme;
    else delete root.dataset.theme;
    for (const part of before.opened) part.open = false;
    before = null;
    printing = false;
    redrawAll();
  });
  tell();
}

function copyButtons(within = document) {
  for (const button of within.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      let done = true;
      try {
        await navigator.clipboard.writeText(from.textContent);
      } catch {
        const range = document.createRange();
        range.selectNodeContents(from);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        done = document.execCommand("copy");
      }
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      announce(done ? "The command is copied" : "The command is selected: copy it with Ctrl+C");
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
}

/** Settings by what is written in them, with or without those that nobody set. */
function settings(within = document) {
  const place = within.querySelector("#settings-controls");
  const rows = [...within.querySelectorAll("#all-settings tbody tr")];
  if (!place || !rows.length) return;
  const search = make("input", { type: "search", id: "settings-search", autocomplete: "off" });
  const told = make("span", { cls: "note", role: "status" });
  let defaults = true;
  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !(row.textContent.toLowerCase().includes(wanted) && (defaults || row.dataset.origin !== "default"));
      shown += !row.hidden;
    }
    told.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} settings`;
  };
  search.addEventListener("input", filter);
  place.append(make("div", {}, make("label", { cls: "label", for: "settings-search", text: "Find a setting" }), search));
  if (rows.some((row) => row.dataset.origin === "default") && rows.some((row) => row.dataset.origin !== "default")) {
    place.append(chips("Show", "checkbox", [{ text: "defaults", on: true, change: (on) => { defaults = on; filter(); } }]));
  }
  place.append(told);
}

theme();
scrollers();
sorting();
copyButtons();
settings();
oneAtATime();
confusions();
curveControls();
thresholds();
observed();
