/** The table, for people and for programs. */
import { type Machine, sayMachine } from './machine.ts'
import { type Limit, meets, type Row } from './row.ts'

export interface Results {
	readonly machine: Machine
	readonly rounds: number
	readonly rows: readonly Row[]
}

/** Markdown: the table, a line on where it comes from, and what each row was measured on. */
export function markdown({ machine, rounds, rows }: Results): string {
	const head = ['what', 'measured', 'quartiles', 'must be', 'aim']
	const lines = [head, head.map(() => '---'), ...rows.map(cells)].map((each) => `| ${each.join(' | ')} |`)
	const notes = rows.map(({ what, note }) => `- ${what}: ${note}`)
	return `${lines.join('\n')}\n\n${sayMachine(machine)}; medians of ${rounds} alternating rounds.\n\n${notes.join('\n')}\n`
}

/** The file form: rows with whether they met their limits. */
export function record({ machine, rounds, rows }: Results) {
	const judge = ({ figure }: Row, limit: Limit | null) => (figure && limit ? meets(figure, limit) : null)
	return {
		machine,
		rounds,
		rows: rows.map((row) => ({ ...row, isMustMet: judge(row, row.must), isAimMet: judge(row, row.aim) })),
	}
}

function cells({ what, figure, unit, must, aim }: Row): string[] {
	const show = (value: number) => (unit === 'MB' ? `${Math.round(value)} MB` : value.toFixed(2))
	const limitCell = (limit: Limit | null) => {
		if (!limit) return '–'
		const verdict = figure ? (meets(figure, limit) ? ' ✓' : ' ✗') : ''
		return `${sayLimit(limit, show)}${verdict}`
	}
	const measured = figure ? show(figure.median) : 'not measured here'
	const spread = figure ? figure.quartiles.map(show).join('–') : '–'
	return [what, measured, spread, limitCell(must), limitCell(aim)]
}

function sayLimit({ atLeast, atMost }: Limit, show: (value: number) => string): string {
	if (atLeast === undefined) return `≤ ${show(atMost!)}`
	return atMost === undefined ? `≥ ${show(atLeast)}` : `${show(atLeast)}–${show(atMost)}`
}
