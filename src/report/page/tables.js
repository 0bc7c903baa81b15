// Tables: cues where a box is clipped and scrolls, and sorting by a column.

/** A box within an element that scrolls has a cue at each edge that hides something, and is a stop of the keyboard; another one is not. */
function scrollers(within = document) {
  const cues = (box) => {
    const { scrollLeft, scrollTop, clientWidth, clientHeight, scrollWidth, scrollHeight } = box;
    const edges = {
      left: scrollLeft > 1, right: scrollLeft + clientWidth < scrollWidth - 1,
      above: scrollTop > 1, below: scrollTop + clientHeight < scrollHeight - 1,
    };
    for (const [edge, hides] of Object.entries(edges)) box.classList.toggle(`more-${edge}`, hides);
  };
  const follow = new ResizeObserver((boxes) => {
    for (const { target } of boxes) {
      const box = target.closest(".scroll, nav.sections ul");
      if (box.matches(".scroll")) {
        if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
        else box.removeAttribute("tabindex");
      }
      cues(box);
    }
  });
  for (const box of within.querySelectorAll(".scroll, nav.sections ul")) {
    box.addEventListener("scroll", () => cues(box), { passive: true });
    follow.observe(box);
    if (box.firstElementChild) follow.observe(box.firstElementChild);
  }
}

/** The number that a cell starts with, such as 0.93 of "0.9300 ± 0.0012"; null if it is text. */
function leadingNumber(text) {
  const plain = text.replace(/,/g, "").replace("−", "-").trim();
  if (/^(inf|∞)/.test(plain)) return Infinity;
  if (/^-(inf|∞)/.test(plain)) return -Infinity;
  const found = plain.match(/^[-+]?\d+(\.\d+)?(e[-+]?\d+)?/i);
  return found ? Number(found[0]) : null;
}

/** Compares cells: numbers by size, texts by their letters; what is missing or not a number comes last in both directions. */
function compareCells(one, other, sign) {
  const missing = (text) => text === "" || text === "–" || text === "nan";
  if (missing(one) || missing(other)) return missing(one) - missing(other);
  const [a, b] = [leadingNumber(one), leadingNumber(other)];
  if (a !== null && b !== null) return sign * (a === b ? 0 : a - b);
  return sign * one.localeCompare(other, "en", { numeric: true });
}

/** A click on a head sorts by its column: ascending, descending, and in the order of the report again. */
function sorting(within = document) {
  for (const table of within.querySelectorAll(".scroll table:not(.confusion)")) {
    const body = table.tBodies[0];
    const order = [...(body?.rows ?? [])];
    // rows that belong to the one above them, with a blank cell for what they share, cannot be moved
    const shares = order.some(({ cells }) => [...cells].some((cell) => cell.textContent === "" && !cell.firstElementChild && !cell.classList.contains("bar-cell")));
    if (order.length < 3 || shares) continue;
    const heads = [...table.tHead.rows[0].cells];
    for (const [column, head] of heads.entries()) {
      if (head.tagName !== "TH") continue;
      const button = make("button", { type: "button", cls: "sort", title: "Sort by this column" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") ?? "none"];
        for (const other of heads) other.removeAttribute("aria-sort");
        const text = (row) => row.cells[column].textContent.trim();
        const sign = next === "descending" ? -1 : 1;
        const rows = next === "none" ? order : order.slice().sort((a, b) => compareCells(text(a), text(b), sign));
        if (next !== "none") head.setAttribute("aria-sort", next);
        body.append(...rows);
        announce(next === "none" ? "Original order" : `Sorted by ${head.textContent}, ${next}`);
      });
    }
  }
}
