// Run once by the image, on an empty store: the gateway's own user, who may read and write its database alone.
db.getSiblingDB("gateway").createUser({
  user: "gateway",
  pwd: process.env.MONGODB_GATEWAY_PASSWORD,
  roles: [{ role: "readWrite", db: "gateway" }],
});
