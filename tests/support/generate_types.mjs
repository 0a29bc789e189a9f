// What Supabase's own type generator prints for a database. node generate_types.mjs FOLDER_WITH_NODE_MODULES URL SCHEMAS
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

const [folder, url, schemas] = process.argv.slice(2)
const find = createRequire(pathToFileURL(`${folder}/index.js`))
const pg = find("pg")
const { introspect, sortGeneratorMetadata, generateTypescript } = await import(
  pathToFileURL(find.resolve("@supabase/postgrest-typegen"))
)

const db = new pg.Client({ connectionString: url })
await db.connect()
const metadata = sortGeneratorMetadata(await introspect(db, { includedSchemas: schemas.split(",") }))
await db.end()
process.stdout.write(
  await generateTypescript(metadata, { detectOneToOneRelationships: true, postgrestVersion: "13.0.5" }),
)
