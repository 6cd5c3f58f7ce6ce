// Reads the page's answer aloud where the device can speak, in the words marked with data-read.

function wordsToRead() {
  return Array.from(document.querySelectorAll('[data-read]'))
    .filter((node) => node.offsetParent !== null)
    .map((node) => node.getAttribute('data-read') || node.textContent)
    .map((text) => text.replace(/\s+/g, ' ').trim())
    .filter(Boolean);
}

function show(button, speaking) {
  button.setAttribute('aria-pressed', String(speaking));
  button.querySelector('[data-words]').textContent = speaking ? '停一停' : '读给我听';
}

export function startReading() {
  const button = document.querySelector('[data-read-aloud]');
  if (!button) return;
  const voice = window.speechSynthesis;
  if (!voice || !window.SpeechSynthesisUtterance) return; // the button stays hidden: nothing is promised in vain
  button.hidden = false;
  button.addEventListener('click', () => {
    if (voice.speaking || voice.pending) {
      voice.cancel();
      show(button, false);
      return;
    }
    const texts = wordsToRead();
    texts.forEach((text, index) => {
      const utterance = new window.SpeechSynthesisUtterance(text);
      utterance.lang = 'zh-CN';
      utterance.rate = 0.9;
      if (index === texts.length - 1) utterance.onend = () => show(button, false);
      utterance.onerror = () => show(button, false);
      voice.speak(utterance);
    });
    show(button, texts.length > 0);
  });
  window.addEventListener('pagehide', () => voice.cancel());
}
