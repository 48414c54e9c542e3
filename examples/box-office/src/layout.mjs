// Halls and buses as rows of seats, and which free seats lie well together. Pure.

/** `rows`: {name, seats: [{id, price, accessible?}]}[]; after `aisle` seats of a row there is an aisle. */
export function layout({ rows, columns, aisle, id, price, accessible = [] }) {
  const seat = (row, column) => {
    const seatId = id(row, column);
    return { id: seatId, price: price(row), accessible: accessible.includes(seatId) };
  };
  return {
    aisle,
    rows: rows.map((row) => ({ name: String(row), seats: columns.map((column) => seat(row, column)) })),
  };
}

export function seatsOf(layout) {
  return layout.rows.flatMap(({ seats }) => seats);
}

/**
 * Up to `most` groups of `count` free seats that do not overlap, the best first where they compete: in as few rows as
 * possible, and on one side of the aisle. In the order of the hall. Accessible seats are not among them.
 */
export function groups(layout, taken, count, most) {
  const free = layout.rows.flatMap(({ seats }, row) =>
    seats
      .map((seat, column) => ({ ...seat, row, column }))
      .filter(({ id, accessible }) => !accessible && !taken.has(id)),
  );
  const windows = [];
  for (let at = 0; at + count <= free.length; at += 1) {
    const seats = free.slice(at, at + count);
    windows.push({ at, seats, cost: cost(seats, layout.aisle) });
  }
  windows.sort((a, b) => a.cost - b.cost || a.at - b.at);
  const used = new Set();
  const found = [];
  const take = (perRow) => {
    for (const window of windows) {
      const inRow = found.filter(({ seats }) => seats[0].row === window.seats[0].row).length;
      if (found.length === most || inRow >= perRow || window.seats.some(({ id }) => used.has(id))) continue;
      for (const { id } of window.seats) used.add(id);
      found.push(window);
    }
  };
  // Some of every row first, so that a list of few does not end at the front.
  take(Math.ceil(most / layout.rows.length));
  take(most);
  return found.sort((a, b) => a.at - b.at).map(({ seats }) => seats.map(({ id }) => id));
}

/** Gaps in a row count like the aisle; another row counts more than all of them; the middle of a row is a little better. */
function cost(seats, aisle) {
  const middle = seats.reduce((all, { column }) => all + column, 0) / seats.length;
  let sum = Math.abs(middle - aisle + 0.5) / 100;
  for (let at = 1; at < seats.length; at += 1) {
    const [before, here] = [seats[at - 1], seats[at]];
    if (here.row !== before.row) sum += 100 * (here.row - before.row);
    else sum += here.column - before.column - 1 + (before.column < aisle && here.column >= aisle ? 1 : 0);
  }
  return sum;
}
