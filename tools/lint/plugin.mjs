/** The project's own lint rules, as one oxlint plugin: `runnel/<rule>`. */
import boundaries from './boundaries.mjs';
import docstrings from './docstrings.mjs';

export default { meta: { name: 'runnel' }, rules: { boundaries, docstrings } };
