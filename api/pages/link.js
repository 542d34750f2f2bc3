"use strict";
// The token stands behind the # of the mailed link: no server and no log ever saw it.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
history.replaceState(null, "", location.pathname);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ ...Object.fromEntries(new FormData(form)), token });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(form.dataset.post, { method: "POST", headers, body, credentials: "omit" });
  status.textContent = answer.ok ? status.dataset.done : (await answer.json()).detail;
  form.hidden = answer.ok;
});
