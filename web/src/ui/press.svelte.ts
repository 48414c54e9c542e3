// A finger that stays: what a right click is to a mouse. (Some browsers report one as the other, some report nothing.)
const LONG_MS = 500;
/** Further than this is scrolling. */
const STILL_PX = 10;

export function longPress(node: HTMLElement, pressed: (on: Element) => void): void {
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from = { x: 0, y: 0 };
    const stop = () => clearTimeout(timer);
    const down = (event: PointerEvent) => {
      stop();
      if (event.pointerType !== 'touch' || !event.isPrimary) return;
      from = { x: event.clientX, y: event.clientY };
      const on = event.target as Element;
      timer = setTimeout(() => pressed(on), LONG_MS);
    };
    const move = (event: PointerEvent) => {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > STILL_PX) stop();
    };
    node.addEventListener('pointerdown', down);
    node.addEventListener('pointermove', move);
    node.addEventListener('pointerup', stop);
    node.addEventListener('pointercancel', stop);
    return stop;
  });
}
