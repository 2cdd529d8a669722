// Sorting needs a script: a click on a column's head, numbers by size and words by alphabet. So does keeping a list open to
// which a link has led; all else works without.
function unfold() {
  const list = document.getElementById(location.hash.slice(1));
  if (list?.tagName !== "DETAILS" || list.open) return;
  list.open = true;
  list.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();

for (const table of document.querySelectorAll(".list table")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const press = document.createElement("span");        // no <button>: Chromium prints those on the first page only
    press.role = "button";
    press.tabIndex = 0;
    press.append(...head.childNodes);
    head.append(press);
    press.addEventListener("click", () => sort(table, head, column));
    press.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      press.click();
    });
  });
}

function sort(table, head, column) {
  const down = head.ariaSort === "ascending";
  for (const each of table.querySelectorAll("thead th")) each.ariaSort = null;
  head.ariaSort = down ? "descending" : "ascending";
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [key(row.cells[column]), row]);
  rows.sort(([a], [b]) => compare(a, b) * (down ? -1 : 1));
  body.append(...rows.map(([, row]) => row));
}

function key(cell) {
  const given = cell.dataset.v ?? cell.textContent.trim();
  const number = Number(given);
  return given === "" ? null : Number.isNaN(number) ? given : number;
}

function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
