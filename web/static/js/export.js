// The page of a file that is being made: how far it is.
import {followProgress} from './progress.js';

followProgress('export-progress', 2000);
