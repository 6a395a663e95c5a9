// The link of a letter carries its token behind «#» and the login behind «/»: they go into the form and out of the address and the
// history. That of a slip carries the login alone.
"use strict";

const form = document.querySelector(".activate");
const take = () => {
  const [token, login = ""] = location.hash.slice(1).split("/");
  if (!token && !login) return;
  history.replaceState(null, "", location.pathname);
  if (!token) {
    form.elements.login.value = decodeURIComponent(login);
    form.elements.one_time_password.focus();
    return;
  }
  form.elements.token.value = token;
  form.elements.linked.value = "yes";
  form.elements.linked_login.value = decodeURIComponent(login);
  form.querySelector("[data-by=letter]").checked = true;
  form.classList.add("linked");
  form.classList.toggle("named", Boolean(login));
  form.elements.new_password.focus();
};
// A link opened where this page is open already changes the fragment alone.
addEventListener("hashchange", take);
take();
