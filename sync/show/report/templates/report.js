// Filters by text and sorts tables. Without this script everything is there.
(() => {
  "use strict";
  const fold = (text) => text.toLocaleLowerCase().normalize("NFKC");
  const rows = [...document.querySelectorAll(".list tbody tr"), ...document.querySelectorAll(".card")];
  if (!rows.length) return;

  const tools = document.createElement("div");
  tools.className = "tools";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Filter by model, provider or mode";
  input.setAttribute("aria-label", input.placeholder);
  input.spellcheck = false;
  const found = document.createElement("output");
  tools.append(input, found);
  document.querySelector("main").prepend(tools);

  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) {
      const group = row.closest(".provider");
      const around = group ? group.querySelector("h4 bdi").textContent + " " + group.dataset.mode : "";
      const own = row.matches(".card") ? row.querySelector("h5").textContent + " " + row.querySelector(".id").textContent : row.textContent;
      texts.set(row, fold(own + " " + around));
    }
    return texts.get(row);
  };

  const opened = new Set();
  const filter = () => {
    const wanted = fold(input.value.trim()).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !wanted.every((word) => textOf(row).includes(word));
      if (!row.hidden && row.matches(".card")) shown += 1;
    }
    for (const group of document.querySelectorAll(".provider")) {
      group.hidden = !group.querySelector(".card:not([hidden]), tbody tr:not([hidden])");
    }
    for (const details of document.querySelectorAll("main details:not(.notes)")) {
      const hit = wanted.length > 0 && details.querySelector(".card:not([hidden]), tbody tr:not([hidden])") !== null;
      if (hit && !details.open) {
        details.open = true;
        opened.add(details);
      } else if (!hit && opened.delete(details)) {
        details.open = false;
      }
    }
    found.textContent = wanted.length ? `${shown} ${shown === 1 ? "chart" : "charts"}` : "";
  };
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });

  // A number, else the text; what is empty comes last.
  const keyOf = (row, place) => {
    const cell = row.cells[place];
    const text = (cell.querySelector(".id") || cell).textContent.trim();
    const number = /-?[\d.]+/.exec(text.replace(/,/g, ""));
    // Behind the word of the direction a number has no sign.
    return cell.matches(".n") && number ? Number(number[0]) * (cell.querySelector(".down") ? -1 : 1) : text;
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0;
  };
  // The rows that are folded away are part of the same list.
  const mergeRest = (table) => {
    const rest = table.nextElementSibling;
    if (!rest || !rest.matches(".more")) return;
    table.tBodies[0].append(...rest.querySelector("tbody").rows);
    rest.remove();
  };
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => {
      if (!head.textContent || table.tBodies[0].rows[0].cells[place].querySelector("svg")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        mergeRest(table);
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = [...table.tBodies[0].rows].map((row) => [keyOf(row, place), row]);
        keyed.sort(([a], [b]) => (a === "" || b === "" ? compare(a, b) : down ? compare(b, a) : compare(a, b)));
        table.tBodies[0].append(...keyed.map(([, row]) => row));
      });
    });
  }
})();
