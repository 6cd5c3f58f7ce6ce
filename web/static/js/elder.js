// 长辈版: the device's own position is all that script adds here; every page works without it.
import {startLocate} from './location.js';

startLocate((url) => window.location.assign(url));
