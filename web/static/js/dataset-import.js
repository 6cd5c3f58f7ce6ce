// The page of a file on its way into a dataset: while it is read or written aside, its progress is followed.
import {followProgress} from './progress.js';

const progress = document.getElementById('import-progress');
if (progress && 'open' in progress.dataset) followProgress('import-progress', 1500);
