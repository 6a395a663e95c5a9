// The link of a letter carries its token behind «#»: it goes into the form and out of the address and the history.
"use strict";

const form = document.querySelector(".activate");
const take = () => {
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  form.elements.token.value = token;
  form.querySelector("[data-by=letter]").checked = true;
  form.classList.add("linked");
  form.elements.new_password.focus();
};
// A link opened where this page is open already changes the fragment alone.
addEventListener("hashchange", take);
take();
