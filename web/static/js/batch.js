// A list of addresses at work.
import {followProgress} from './progress.js';

followProgress('batch-progress', 3000);
