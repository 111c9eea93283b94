// Looks now and then whether it is this ticket's turn: one small file, which a proxy may keep.
const room = document.querySelector("[data-room]");
const again = Number(room.dataset.again) * 1000;
const place = room.dataset.place === "" ? null : Number(room.dataset.place);
let looks = 0;

async function look() {
  const told = await fetch("/room/line.json");
  if (told.status === 404) return location.reload();
  const line = told.ok ? await told.json() : {};
  looks += 1;
  // A new page when something happened, and now and then for its figures.
  const turned = place === null ? Boolean(line.seed) : place <= line.upto;
  if (turned || (place !== null && looks % 8 === 0)) return location.reload();
  wait();
}

function wait() {
  // Not everybody in the same moment.
  setTimeout(() => look().catch(wait), again * (0.8 + 0.4 * Math.random()));
}
wait();
