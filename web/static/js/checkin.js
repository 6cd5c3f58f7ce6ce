// The check-in of a visit: pictures of one moment, one position, one tap. What goes wrong is said with what to do next, and
// nothing that was taken is lost: the same key is sent again until an answer comes.
import {say} from './announce.js';
import {locate} from './location.js';

const SHOTS = 3;
const BETWEEN_MS = 700;
const SIDE = 640;
const OFFLINE = '没有网络，还没有成功。照片和说明都还在这一页，到有信号的地方再点一次，不会重复。';
const NO_PLACE = '没有拿到位置。请在手机设置里打开定位，并允许这个页面使用；在屋里的请走到窗边，再点一次。还不行，用下面的“说明情况”。';
// A telephone that does not say how exact it is may be anywhere near.
const UNSAID_M = 5000;
const NO_CAMERA = '打不开镜头。请在手机设置里允许这个页面使用相机，或者在“照片”里选手机相机拍一张。';

const form = document.getElementById('check-form');
const taken = {pictures: [], token: ''};

function tell(text) {
  const box = document.getElementById('check-said');
  const note = document.createElement('p');
  note.className = 'notice warn';
  note.setAttribute('role', 'alert');
  note.textContent = text;
  box.textContent = '';
  box.appendChild(note);
  box.scrollIntoView({block: 'nearest'});
}

function openManual() {
  form.querySelector('.check-manual').open = true;
}

function wait(ms) {
  return new Promise((resolve) => { window.setTimeout(resolve, ms); });
}

async function begin() {
  try {
    const body = new FormData();
    body.append('csrfmiddlewaretoken', form.elements.csrfmiddlewaretoken.value);
    const answer = await fetch(form.dataset.face, {method: 'POST', body, headers: {Accept: 'application/json'}});
    if (answer.ok) return await answer.json();
  } catch (error) { /* without network a picture is taken all the same */ }
  return {token: '', said: '请正对镜头'};
}

function shot(video) {
  const scale = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', 0.85); });
}

async function shoot(button) {
  const box = document.getElementById('camera');
  const video = document.getElementById('camera-live');
  const still = document.getElementById('camera-shot');
  const prompt = document.getElementById('camera-said');
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'user', width: {ideal: SIDE}}, audio: false});
  } catch (error) {
    tell(NO_CAMERA);
    document.getElementById('photo-row').hidden = false;
    return;
  }
  const asked = begin();
  box.hidden = false;
  video.hidden = false;
  still.hidden = true;
  video.srcObject = stream;
  await video.play();
  const {token, said} = await asked;
  prompt.textContent = `${said}，正在拍照…`;
  const pictures = [];
  for (let count = 0; count < SHOTS; count += 1) {
    await wait(BETWEEN_MS);
    pictures.push(await shot(video));
  }
  stream.getTracks().forEach((track) => track.stop());
  taken.pictures = pictures;
  taken.token = token;
  video.hidden = true;
  still.src = URL.createObjectURL(pictures[0]);
  still.hidden = false;
  prompt.textContent = `拍好了，请点“${form.dataset.verb}”。`;
  button.lastChild.textContent = '重新拍照';
  document.getElementById('photo-row').hidden = true;
}

async function place(body, manual) {
  try {
    const found = await locate({fresh: true});
    const values = {
      lon: found.lon, lat: found.lat, crs: found.system, accuracy: found.accuracy === null ? UNSAID_M : found.accuracy, altitude: found.altitude,
      speed: found.speed, source: found.source, mock: found.mock ? '1' : '', fixed_ms: found.at,
    };
    Object.keys(values).forEach((name) => {
      if (values[name] !== null && values[name] !== undefined && values[name] !== '') body.append(name, String(values[name]));
    });
    body.append('sent_ms', String(Date.now()));
    return true;
  } catch (error) {
    return manual;
  }
}

async function send(manual) {
  const body = new FormData(form);
  if (taken.pictures.length) {
    body.delete('photo');
    taken.pictures.forEach((picture, count) => body.append('photo', picture, `${count}.jpg`));
    body.append('token', taken.token);
  }
  if (manual) body.append('manual', '1');
  if (!manual && form.dataset.face && !taken.pictures.length && !form.elements.photo.files.length) {
    tell('还没有拍照。请先点“拍照确认是我”。');
    return;
  }
  say('正在取位置');
  if (!await place(body, manual)) {
    tell(NO_PLACE);
    openManual();
    return;
  }
  let answer;
  try {
    answer = await fetch(form.action, {method: 'POST', body, headers: {Accept: 'application/json'}});
  } catch (error) {
    tell(OFFLINE);
    return;
  }
  if (answer.ok) {
    window.location.replace(form.dataset.back);
    return;
  }
  const said = await answer.json().catch(() => ({}));
  tell(said.fault || '服务器暂时没有答复，请过一会儿再点一次，不会重复。');
  if (said.key) form.elements.key.value = said.key;
}

function start() {
  const shooter = document.getElementById('shoot');
  if (shooter) {
    document.getElementById('photo-row').hidden = true;
    shooter.disabled = false;
    shooter.addEventListener('click', async () => {
      shooter.disabled = true;
      await shoot(shooter);
      shooter.disabled = false;
    });
  }
  let busy = false;
  let manual = false; // which button was pressed: older browsers do not say it with the event
  form.addEventListener('click', (event) => {
    const button = event.target.closest('button[type="submit"]');
    if (button) manual = button.name === 'manual';
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    form.setAttribute('aria-busy', 'true');
    try {
      await send(manual);
    } finally {
      busy = false;
      form.removeAttribute('aria-busy');
    }
  });
}

if (form) start();
