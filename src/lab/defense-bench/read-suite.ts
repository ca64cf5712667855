/** A suite's file → the cells to run, each with absolute paths and every parameter that decides it. */
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { DefenseSuite, methodLabel, type SuiteMethod, type SuiteSubject } from '../../contracts/defense-suite.ts'
import { methodNamed } from '../../defense/repair/methods/index.ts'
import { parameterValues } from '../../defense/repair/parameters.ts'
import { InputError, UsageError } from '../../errors.ts'
import { readFileWhole } from '../../files.ts'
import { parseJson } from '../../json.ts'

/** A suite is written by hand or by a short script: this is generous. */
const MAX_SUITE_BYTES = 2 ** 24

/** A subject with absolute paths. */
export interface BenchSubject extends Omit<SuiteSubject, 'twin'> {
	/** False for an honest net. Its `poisoned` and `target`, if any, are those of a net that it is the clean twin of. */
	readonly isBackdoored: boolean
}

/** One net, one method, one seed. */
export interface CellPlan {
	readonly subject: BenchSubject
	readonly method: SuiteMethod
	/** What tables and files call the method. */
	readonly label: string
	/** Of the method, defaults included. */
	readonly parameters: Readonly<Record<string, string | number>>
	/** Was the method told something of a trigger or its label: by its parameters, or as the suite says? */
	readonly isOracle: boolean
	readonly seed: number
}

/** Which part of a suite to run, by name; what is left out means all. */
export interface CellChoice {
	readonly subjects?: readonly string[] | undefined
	/** As tables call them. */
	readonly methods?: readonly string[] | undefined
	/** In place of the suite's and the methods' own. */
	readonly seeds?: readonly number[] | undefined
}

/** @throws InputError `not-found`, `not-a-file`, `too-large`, `bad-suite` */
export async function readSuite(path: string): Promise<DefenseSuite> {
	const text = new TextDecoder().decode(await readFileWhole(path, MAX_SUITE_BYTES))
	const json = parseJson(text)
	if (json === null) throw badSuite(path, 'found no JSON')
	const parsed = DefenseSuite.safeParse(json)
	if (parsed.success) return parsed.data
	throw badSuite(path, z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' '))
}

function badSuite(path: string, found: string): InputError {
	return new InputError(
		'bad-suite',
		`${path}: expected a suite of nets and methods (docs/defense-bench.md): ${found}`,
		{
			path,
		},
	)
}

/**
 * The chosen cells, seed by seed, net by net, so that a run that is stopped has something of every net.
 *
 * @param path of the suite's file, which its paths are relative to
 * @throws UsageError `unknown-name` for a choice that the suite does not have, `unknown-method`, `unknown-parameter`, `bad-parameter`
 */
export function planCells(suite: DefenseSuite, path: string, choice: CellChoice = {}): CellPlan[] {
	const folder = dirname(resolve(path))
	const labels = suite.methods.map(methodLabel)
	const names = suite.subjects.map(({ name }) => name)
	checkChoice('methods', choice.methods, labels)
	checkChoice('subjects', choice.subjects, names)
	const subjects = suite.subjects
		.filter(({ name }) => choice.subjects?.includes(name) ?? true)
		.map((subject) => benchSubject(subject, suite, folder))
	const methods = suite.methods
		.filter((method) => choice.methods?.includes(methodLabel(method)) ?? true)
		.map((method) => {
			const repair = methodNamed(method.method)
			const parameters = parameterValues(repair.parameters, method.set, method.method)
			const isOracle = method.isOracle || (repair.isOracle?.(parameters) ?? false)
			const seeds = choice.seeds ?? method.seeds ?? suite.seeds
			return { method, label: methodLabel(method), parameters, isOracle, seeds }
		})
	const seeds = [...new Set(methods.flatMap((method) => method.seeds))]
	return seeds.flatMap((seed) =>
		subjects.flatMap((subject) =>
			methods
				.filter((method) => method.seeds.includes(seed))
				.map(({ seeds: _, ...planned }) => ({ ...planned, subject, seed })),
		),
	)
}

function checkChoice(option: string, chosen: readonly string[] | undefined, known: readonly string[]): void {
	const unknown = chosen?.find((name) => !known.includes(name))
	if (unknown === undefined) return
	throw new UsageError(
		'unknown-name',
		`--${option}: expected names of the suite (${known.join(', ')}), found "${unknown}"`,
	)
}

function benchSubject({ twin: _, ...subject }: SuiteSubject, suite: DefenseSuite, folder: string): BenchSubject {
	const isBackdoored = subject.poisoned !== undefined
	const { poisoned, target } = isBackdoored ? subject : (suite.subjects.find(({ twin }) => twin === subject.name) ?? {})
	const absolute = Object.entries({ ...subject, poisoned }).map(([key, value]) =>
		isPathKey(key) && typeof value === 'string' ? [key, resolve(folder, value)] : [key, value],
	)
	// The same keys, and the same types behind them.
	return { ...(Object.fromEntries(absolute) as Omit<SuiteSubject, 'twin'>), target, isBackdoored }
}

const PATH_KEYS = ['model', 'architecture', 'data', 'tuning', 'valid', 'unlabeled', 'test', 'poisoned']

function isPathKey(key: string): boolean {
	return PATH_KEYS.includes(key)
}
