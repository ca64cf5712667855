/** `goodnet bench defenses`: every method of a suite on every net of it, cell by cell, and the tables of what came out. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { BenchDefensesOptions } from '../../contracts/cli-options.ts'
import type { DefenseBench, DefenseCell } from '../../contracts/defense-cell.ts'
import { type DefenseSuite, methodLabel } from '../../contracts/defense-suite.ts'
import { InterruptedError } from '../../errors.ts'
import { writeFilesWhole } from '../../files.ts'
import { benchDefenses } from '../../lab/defense-bench/bench.ts'
import { readCells } from '../../lab/defense-bench/cells-folder.ts'
import { planCells, readSuite } from '../../lab/defense-bench/read-suite.ts'
import { defenseSummary } from '../../report/defense-summary.ts'
import { defenseTable } from '../../report/defense-table.ts'
import { defineCommand, type Io } from '../command.ts'
import { OUTPUT_FLAGS } from '../inputs.ts'
import { createProgress, showSeconds } from '../progress.ts'
import { alignColumns } from '../text-table.ts'

const PAGE = 'results.md'

export const benchDefensesCommand = defineCommand<BenchDefensesOptions>({
	name: 'bench defenses',
	summary: 'try repairs on many nets, and tabulate what they cost and what they remove',
	arguments: [['<suite>', 'JSON file with nets, their data and methods (docs/defense-bench.md)']],
	flags: [
		['-o, --output <folder>', `where cells/ and ${PAGE} go; cells that are there already are not run again`],
		['--methods <list>', 'only these of the suite'],
		['--subjects <list>', 'only these nets of the suite'],
		['--seeds <list>', 'these seeds in place of the suite\u2019s'],
		['--jobs <n>', 'cells at once, of one thread each (default: one for each core)'],
		['--page <file.md>', 'write the tables there, too'],
		['--force', 'run cells again that are there'],
		...OUTPUT_FLAGS,
	],
	options: BenchDefensesOptions,
	example: 'goodnet bench defenses suite.json -o bench --methods fine-tuning,anp',
	async run([path = ''], options, io) {
		const suite = await readSuite(path)
		const counts = await runCells(suite, path, options, io)
		const cells = inOrderOf(suite, await readCells(options.output))
		const page = `# Defenses\n\n${defenseTable(cells)}`
		// A page of cells can be made again at any time.
		const pages = [join(options.output, PAGE), ...(options.page === undefined ? [] : [options.page])]
		await writeFilesWhole(new Map(pages.map((file) => [file, page])), { force: true })
		const result: DefenseBench = { schema: 'goodnet/defense-bench@1', ...counts, cells }
		io.print(options.json ? JSON.stringify(result, null, 2) : summary(result, pages[0]!))
		return 0
	},
})

async function runCells(suite: DefenseSuite, path: string, options: BenchDefensesOptions, io: Io) {
	const { methods, subjects, seeds, output: folder, force: isForced, quiet } = options
	const plans = planCells(suite, path, { methods, subjects, seeds })
	const jobs = options.jobs ?? availableParallelism()
	const progress = createProgress(io, quiet)
	const start = io.now()
	try {
		return await benchDefenses(plans, {
			...{ folder, jobs, isForced, signal: io.signal },
			onPlanned: (due, kept) => {
				progress.say(`${plans.length} cells: ${kept} are there, ${due} to run`)
				if (due > 0) progress.update('cells', 0, due, 'cells')
			},
			onCell: (cell, done, due) => {
				progress.say(cellLine(cell, done, due, (io.now() - start) / 1000))
				progress.update('cells', done, due, 'cells')
			},
		})
	} catch (error) {
		if (error instanceof InterruptedError) {
			io.stderr.write(`\n${folder} keeps the cells that are done; the same command goes on from there\n`)
		}
		throw error
	} finally {
		progress.finish()
	}
}

function cellLine(
	{ subject, method, identity, outcome, seconds }: DefenseCell,
	done: number,
	due: number,
	elapsed: number,
) {
	const left = done < due ? `, about ${showSeconds((elapsed / done) * (due - done))} left` : ''
	const how = outcome.status === 'done' ? '' : ` ${outcome.status} (${outcome.code})`
	return `${done}/${due} ${subject.name}, ${method}, seed ${identity.seed}:${how} ${showSeconds(seconds)}${left}`
}

/** The cells of nets and methods that the suite has, as it has them. A folder may keep more than one suite's. */
function inOrderOf({ subjects, methods }: DefenseSuite, cells: readonly DefenseCell[]): DefenseCell[] {
	return subjects.flatMap(({ name }) =>
		methods
			.map(methodLabel)
			.flatMap((label) =>
				cells
					.filter(({ subject, method }) => subject.name === name && method === label)
					.sort((a, b) => a.identity.seed - b.identity.seed),
			),
	)
}

function summary({ ran, kept, cells }: DefenseBench, page: string): string {
	const { methods, best } = defenseSummary(cells)
	const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(2)} %`)
	const rows = methods.map(({ label, isOracle, der, loss, counts }) => [
		isOracle ? `${label} (oracle)` : label,
		percent(der?.mean),
		percent(der?.worst),
		loss ? `${loss.mean.toFixed(2)} points` : '',
		loss ? `${loss.worst.toFixed(2)} points` : '',
		String(counts['not-applicable'] + counts['not-reached']),
		String(counts.failed),
	])
	const head = ['method', 'mean DER', 'worst', 'honest nets lose', 'at worst', 'not applicable', 'failed']
	return [
		`${ran} cells run, ${kept} were there`,
		'',
		alignColumns([head, ...rows]),
		'',
		...(best?.der ? [`best single default by mean DER: ${best.label}, ${percent(best.der.mean)}`] : []),
		`tables: ${page}`,
	].join('\n')
}
