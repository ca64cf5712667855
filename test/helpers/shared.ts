/**
 * Finds the real artefacts beside the project. A test that needs them skips with a clear line where the folder is absent and fails
 * where `GOODNET_REQUIRE_SHARED=1`, which `.ci/run` sets (design, section 7).
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

const root = fileURLToPath(new URL('../../../shared/', import.meta.url))
const isRequired = process.env.GOODNET_REQUIRE_SHARED === '1'

/** Absolute path of a file under `../shared`. */
export function sharedPath(relative: string): string {
	return root + relative
}

/** `describe` for tests against `../shared`; skipped, by name, where the folder is absent and not required. */
export function describeShared(name: string, body: () => void): void {
	describeWith(root, name, body)
}

/** `describe` for tests that read `path`, from `../shared` or a system package; skipped, by name, where it is absent and not required. */
export function describeWith(path: string, name: string, body: () => void): void {
	const isPresent = existsSync(path)
	if (!isPresent && !isRequired) describe.skip(`${name} (skipped: ${path} is absent)`, body)
	else describe(name, body)
}
