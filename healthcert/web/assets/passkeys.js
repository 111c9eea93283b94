// Asks the browser for a passkey and sends its answer with the form that holds the button.
// Without a script, or in a browser without passkeys, the button stays away and the words beside it
// name the other ways.
const able = Boolean(window.PublicKeyCredential && PublicKeyCredential.parseCreationOptionsFromJSON);

async function answered(box, form) {
  const told = await fetch(box.dataset.ask, { method: "POST", body: new FormData(form) });
  if (!told.ok) return location.reload(); // the page lay open too long
  const asked = await told.json();
  const key = box.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
  form.elements.answer.value = JSON.stringify(key);
  form.submit();
}

for (const box of document.querySelectorAll("[data-passkey]")) {
  if (!able) break;
  const form = box.closest("form");
  const failed = box.querySelector("[data-failed]");
  box.hidden = false;
  form.querySelector("[data-without]").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    failed.hidden = true;
    answered(box, form).catch(() => { failed.hidden = false; });
  });
}
