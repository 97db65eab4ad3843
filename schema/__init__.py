"""The GraphQL schema over the operations: types, inputs, queries, mutations, limits."""
