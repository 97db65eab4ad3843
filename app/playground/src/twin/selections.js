import { GraphQLIncludeDirective, GraphQLSkipDirective, getArgumentValues, getDirectiveValues, getNamedType, isCompositeType } from 'graphql';

/**
 * @typedef {import('graphql').SelectionSetNode} SelectionSet
 * @typedef {import('graphql').GraphQLObjectType | import('graphql').GraphQLInterfaceType} Composite
 *
 * @typedef {object} Selected A field of a selection, merged from wherever it stands.
 * @property {string} name
 * @property {import('graphql').GraphQLField<unknown, unknown> | undefined} field
 * @property {Record<string, any>} args Without what is null.
 * @property {SelectionSet[]} sets
 *
 * @typedef {object} Run The operation that is asked about.
 * @property {import('graphql').GraphQLSchema} schema
 * @property {import('graphql').DocumentNode} document
 * @property {Record<string, unknown>} variables
 */

/**
 * The fields of a selection, fragments and directives resolved. The same field with other arguments stands on its own.
 * @param {Run} run @param {SelectionSet[]} sets @param {Composite} type
 * @returns {Selected[]}
 */
export function collect(run, sets, type) {
  /** @type {Map<string, Selected>} */ const found = new Map();
  for (const { node, on } of sets.flatMap((set) => [...spread(run, set, type)])) {
    const name = node.name.value;
    const field = on.getFields()[name];
    const args = field ? given(getArgumentValues(field, node, run.variables)) : {};
    const key = name + JSON.stringify(args);
    const one = found.get(key) ?? { name, field, args, sets: [] };
    if (node.selectionSet) one.sets.push(node.selectionSet);
    found.set(key, one);
  }
  return [...found.values()].filter((one) => one.name !== '__typename');
}

/** @param {Record<string, unknown>} args */
const given = (args) => Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null && value !== undefined));

/** @param {Run} run @param {SelectionSet} set @param {Composite} type @returns {Generator<{node: import('graphql').FieldNode, on: Composite}>} */
function* spread(run, set, type) {
  for (const one of set.selections) {
    if (getDirectiveValues(GraphQLSkipDirective, one, run.variables)?.['if'] === true) continue;
    if (getDirectiveValues(GraphQLIncludeDirective, one, run.variables)?.['if'] === false) continue;
    if (one.kind === 'Field') {
      yield { node: one, on: type };
      continue;
    }
    const fragment = one.kind === 'InlineFragment' ? one : run.document.definitions.find((other) => other.kind === 'FragmentDefinition' && other.name.value === one.name.value);
    if (!fragment || !('selectionSet' in fragment)) continue;
    const condition = 'typeCondition' in fragment ? fragment.typeCondition?.name.value : undefined;
    const on = condition === undefined ? type : run.schema.getType(condition);
    yield* spread(run, fragment.selectionSet, on && isCompositeType(on) && 'getFields' in on ? on : type);
  }
}

/** The fields below a field. @param {Run} run @param {Selected} selected @returns {Selected[]} */
export function below(run, selected) {
  const type = selected.field && getNamedType(selected.field.type);
  return type && isCompositeType(type) && 'getFields' in type ? collect(run, selected.sets, type) : [];
}

/** The fields of the things of a list: of nodes, edges and items. @param {Run} run @param {Selected} list */
export function itemsOf(run, list) {
  const fields = below(run, list);
  const edges = fields.filter((one) => one.name === 'edges').flatMap((one) => below(run, one));
  const things = [...fields.filter((one) => one.name === 'nodes' || one.name === 'items'), ...edges.filter((one) => one.name === 'node')];
  const type = things[0]?.field && getNamedType(things[0].field.type);
  return type && isCompositeType(type) && 'getFields' in type ? collect(run, things.flatMap((one) => one.sets), type) : null;
}

