/** One cell: the repair of one net by one method, measured. What goes wrong with the method is a result, too. */
import type { CellOutcome, DefenseCell } from '../../contracts/defense-cell.ts'
import { diagnoseInput } from '../../defense/diagnose.ts'
import { DEFAULT_SHARE, readCleanData } from '../../defense/repair/data.ts'
import { methodNamed } from '../../defense/repair/methods/index.ts'
import { repairModel } from '../../defense/repair/repair.ts'
import { GoodnetError, InputError, InterruptedError, messageOf, UnsupportedError } from '../../errors.ts'
import { environmentRecord } from '../../model/environment.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { VERSION } from '../../version.ts'
import type { CellPlan } from './read-suite.ts'
import { type OpenedSubject, openSubject } from './subject.ts'

/** What running a cell tells. */
export type CellAnswer = Pick<DefenseCell, 'outcome' | 'environment' | 'seconds'>

/** Code of the outcome where a method threw what it should not. */
const BUG = 'bug'
/** Codes of failures that say nothing of the method: a graph that the method has made and that does not run is a fault of goodnet's. */
export const OWN_FAULTS: readonly string[] = [BUG, 'not-runnable', 'run-failed']

/** Milliseconds in a second. */
const MS = 1000

/** @throws InterruptedError */
export async function runCell(
	plan: CellPlan,
	runtime: Runtime,
	{ signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<CellAnswer> {
	const start = performance.now()
	const outcome = await repairSubject(plan, runtime, signal).catch(outcomeOf)
	const seconds = Math.round(performance.now() - start) / MS
	return { outcome, environment: environmentRecord(runtime, VERSION), seconds }
}

async function repairSubject(plan: CellPlan, runtime: Runtime, signal: AbortSignal | undefined): Promise<CellOutcome> {
	const opened = await openSubject(plan.subject, runtime)
	try {
		await checkFed(plan, opened, signal)
		return await repairOpened(plan, opened, signal)
	} finally {
		opened.close()
	}
}

async function repairOpened(
	{ subject, method, parameters, seed }: CellPlan,
	{ model, sets }: OpenedSubject,
	signal: AbortSignal | undefined,
): Promise<CellOutcome> {
	const repair = methodNamed(method.method)
	const { data, tuning, valid, unlabeled, test, poisoned } = sets
	const given = { data, tuning, valid, unlabeled }
	const clean = await readCleanData(
		repair,
		// A set that is not there is left out.
		Object.fromEntries(Object.entries(given).filter(([, set]) => set !== null)),
		{ classes: model.classes, share: subject.share ?? DEFAULT_SHARE, seed, signal },
	)
	const { before, repaired } = await repairModel(model, repair, clean, {
		...{ parameters, seed, signal },
		sets: { valid: clean.valid, test, poisoned, target: subject.target },
	})
	const points = repaired.map(({ point: { name, chosenBy }, after, goodnet }) => ({ name, chosenBy, after, goodnet }))
	return { status: 'done', before, repaired: points }
}

/** A net that is fed wrongly from the first makes every figure worthless. @throws InputError `near-chance` */
async function checkFed({ subject }: CellPlan, { model, sets }: OpenedSubject, signal: AbortSignal | undefined) {
	const diagnosis = sets.test && (await diagnoseInput(model, sets.test, signal))
	if (diagnosis === null) return
	const message = `${diagnosis} (the suite says how ${subject.name} is fed: scale, mean, std, colors, layout)`
	throw new InputError('near-chance', message, { path: subject.test })
}

function outcomeOf(error: unknown): CellOutcome {
	if (error instanceof InterruptedError) throw error
	const code = error instanceof GoodnetError ? error.code : BUG
	// The net itself has been opened and run before, so what goodnet cannot do with it is the method's.
	const isOutOfReach = error instanceof UnsupportedError && !OWN_FAULTS.includes(code)
	const status = isOutOfReach ? 'not-applicable' : 'failed'
	return { status, code, reason: messageOf(error) }
}
