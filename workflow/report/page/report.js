(function () {
  "use strict";
  var views = Array.prototype.slice.call(document.querySelectorAll(".view"));
  var links = Array.prototype.slice.call(document.querySelectorAll("nav a"));
  function show(name) {
    var view = document.getElementById(name);
    var target = null;
    if (view && !view.classList.contains("view")) { target = view; view = view.closest(".view"); }
    view = view || views[0];
    views.forEach(function (one) { one.hidden = one !== view; });
    links.forEach(function (link) {
      if (link.getAttribute("href") === "#" + view.id) { link.setAttribute("aria-current", "page"); } else { link.removeAttribute("aria-current"); }
    });
    if (target) { target.scrollIntoView(); } else { window.scrollTo(0, 0); }
  }
  window.addEventListener("hashchange", function () { show(decodeURIComponent(location.hash.slice(1))); });
  if (location.hash) { show(decodeURIComponent(location.hash.slice(1))); }

  // Tables are sorted by their first number where they hold numbers, else by their words; what is empty stands last.
  function value(cell, numbers) {
    var text = cell ? cell.textContent.trim() : "";
    if (!numbers) { return text === "" ? null : text.toLowerCase(); }
    var found = text.replace(/\u2212/g, "-").match(/-?\d*\.?\d+(e[-+]?\d+)?/i);
    return found ? parseFloat(found[0]) : null;
  }
  function sort(table, head) {
    var column = head.cellIndex, numbers = head.classList.contains("number");
    var first = numbers ? "descending" : "ascending", other = numbers ? "ascending" : "descending";
    var order = head.getAttribute("aria-sort") === first ? other : first;
    Array.prototype.forEach.call(head.parentNode.cells, function (one) { one.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", order);
    var rows = Array.prototype.map.call(table.tBodies[0].rows, function (row) { return [value(row.cells[column], numbers), row]; });
    rows.sort(function (a, b) {
      if (a[0] === null || b[0] === null) { return (a[0] === null) - (b[0] === null); }
      var less = a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
      return order === "ascending" ? less : -less;
    });
    rows.forEach(function (pair) { table.tBodies[0].appendChild(pair[1]); });
  }
  document.querySelectorAll(".table:not(.pictures) table").forEach(function (table) {
    if (!table.tHead || !table.tBodies.length) { return; }
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent || "row";
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () { sort(table, head); });
    });
  });

  var large = document.getElementById("large");
  // A larger picture lies beside the page; where the page was passed on alone, the small one is shown instead.
  function open(image, larger) {
    var picture = large.querySelector("img");
    picture.onerror = function () { picture.onerror = null; picture.src = image.src; };
    picture.src = larger || image.src;
    picture.alt = image.alt;
    large.querySelector("p").textContent = image.alt;
    large.showModal();
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest(".open");
    if (button) { open(button.querySelector("img")); return; }
    var link = event.target.closest(".pictures td a");
    if (link && link.querySelector("img")) { event.preventDefault(); open(link.querySelector("img"), link.href); return; }
    var part = event.target.closest("[data-part]");
    if (part) { event.preventDefault(); document.getElementById(part.getAttribute("data-part")).scrollIntoView(); }
    if (event.target === large) { large.close(); }
  });
})();
