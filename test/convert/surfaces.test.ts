import { describeSurface } from '../contract-suites/surface.ts';
import { surfaces } from './surfaces.ts';

for (const surface of surfaces) describeSurface(surface);
