// The globe as one sees it from above a place: parallels and meridians, drawn without asking anybody for a map. Pure.
import type { LocationBody } from '../../core/contract';

export interface Globe {
  /** Paths of an SVG whose middle is the place. */
  grid: string;
  /** The equator and the meridian of Greenwich. */
  main: string;
  /** The edge of the earth. */
  radius: number;
}

const STEP = 10;
/** How finely a line is drawn. */
const GRAIN = 2;
const radians = (degrees: number) => (degrees * Math.PI) / 180;

export function globeOf({ latitude_e7, longitude_e7 }: LocationBody, radius: number): Globe {
  const lat0 = radians(latitude_e7 / 1e7);
  const lon0 = radians(longitude_e7 / 1e7);
  /** Orthographic; undefined on the far side. */
  const project = (latitude: number, longitude: number): string | undefined => {
    const lat = radians(latitude);
    const lon = radians(longitude) - lon0;
    const near = Math.sin(lat0) * Math.sin(lat) + Math.cos(lat0) * Math.cos(lat) * Math.cos(lon);
    if (near < 0) return undefined;
    const x = radius * Math.cos(lat) * Math.sin(lon);
    const y = -radius * (Math.cos(lat0) * Math.sin(lat) - Math.sin(lat0) * Math.cos(lat) * Math.cos(lon));
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  const line = (from: number, to: number, at: (degrees: number) => string | undefined): string => {
    let path = '';
    let pen = 'M';
    for (let degrees = from; degrees <= to; degrees += GRAIN) {
      const point = at(degrees);
      if (point) path += `${pen}${point}`;
      pen = point ? 'L' : 'M';
    }
    return path;
  };
  const parallel = (latitude: number) => line(-180, 180, (longitude) => project(latitude, longitude));
  const meridian = (longitude: number) => line(-80, 80, (latitude) => project(latitude, longitude));
  let grid = '';
  for (let latitude = -80; latitude <= 80; latitude += STEP) if (latitude !== 0) grid += parallel(latitude);
  for (let longitude = -180 + STEP; longitude <= 180; longitude += STEP)
    if (longitude !== 0) grid += meridian(longitude);
  return { grid, main: parallel(0) + meridian(0), radius };
}
