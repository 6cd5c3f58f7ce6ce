// Certificates of a telephone, through the bridge that its container puts into the page (docs/how-to/access.md):
//   window.quantuCertificate.begin() -> {random}
//   .request({subject}) -> {request}   .install({certificate, authorities})
//   .sign(challenge) -> {certificate, signature}; it refuses a site that does not prove itself, with an error named "SiteRefused"
// The private key never comes here. Without the bridge the page says where it is found.

const AWAY = "网络不通，没有完成。请检查网络后再试。";
const SITE = "手机没有认出这个网站，已停止。请核对网址；一直如此请联系管理员。";
const STOPPED = "手机没有完成签名。请解锁证书后再试。";

const section = document.querySelector("[data-certificate]");
const bridge = window.quantuCertificate;

if (section && bridge) {
  show(section.querySelector("[data-certificate-none]"), false);
  if (section.dataset.certificate === "sign_in") {
    const go = section.querySelector("[data-certificate-go]");
    show(go, true);
    go?.addEventListener("click", () => act(go, signIn));
  } else {
    const form = section.querySelector("[data-certificate-form]");
    show(form, true);
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      act(form.querySelector("[data-certificate-go]"), () => bind(form));
    });
  }
}

async function signIn() {
  const answer = await answered("sign_in");
  const told = await ask("certificates/sign-in", answer);
  window.location.assign(told.next);
}

async function bind(form) {
  const subject = form.dataset.subject || "";
  const { request } = await held(() => bridge.request({ subject }));
  const issued = await ask("certificates/issue", { request });
  await held(() => bridge.install(issued));
  const answer = await answered("bind");
  await ask("certificates/bind", { ...answer, name: form.elements.name.value, code: form.elements.code?.value || "" });
  window.location.reload();
}

async function answered(purpose) {
  const { random } = await held(() => bridge.begin());
  const challenge = await ask("certificates/challenge", { purpose, random });
  const { certificate, signature } = await held(() => bridge.sign(challenge));
  return { challenge: challenge.challenge, certificate, signature };
}

async function act(button, work) {
  button.disabled = true;
  fault("");
  try {
    await work();
  } catch (error) {
    fault(error.said || AWAY);
  } finally {
    button.disabled = false;
  }
}

// What the container does fails in words of ours, whatever it says itself.
async function held(work) {
  try {
    return await work();
  } catch (error) {
    throw said(error?.name === "SiteRefused" || /SiteRefused/.test(String(error?.message)) ? SITE : STOPPED);
  }
}

async function ask(path, body) {
  const response = await fetch(`/api/v1/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": section.querySelector("[name=csrfmiddlewaretoken]").value },
    body: JSON.stringify(body),
  });
  const told = await response.json();
  if (!response.ok) throw said(told.detail);
  return told;
}

function said(sentence) {
  return Object.assign(new Error(sentence), { said: sentence });
}

function fault(sentence) {
  const line = section.querySelector("[data-certificate-fault]");
  line.textContent = sentence;
  show(line, Boolean(sentence));
}

function show(element, visible) {
  if (element) element.hidden = !visible;
}
