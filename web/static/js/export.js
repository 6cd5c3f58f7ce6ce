// An export at work.
import {followProgress} from './progress.js';

followProgress('export-progress', 2000);
