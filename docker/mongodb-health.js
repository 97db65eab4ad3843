// The health check: makes the replica set where there is none yet; healthy once it takes writes.
const { MONGO_INITDB_ROOT_USERNAME: user, MONGO_INITDB_ROOT_PASSWORD: password } = process.env;
const credentials = [user, password].map(encodeURIComponent).join(":");
const store = connect(`mongodb://${credentials}@127.0.0.1:27017/admin?directConnection=true`);
const NOT_YET_INITIALIZED = 94;
try {
  store.adminCommand({ replSetGetStatus: 1 });
} catch (error) {
  if (error.code !== NOT_YET_INITIALIZED) throw error;
  store.adminCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: "mongodb:27017" }] } });
}
quit(store.hello().isWritablePrimary ? 0 : 1);
