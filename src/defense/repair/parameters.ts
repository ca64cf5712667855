/** What can be set of a method: names, ranges and defaults as data, from which checks, help and records come. */
import { UsageError } from '../../errors.ts'

/** A number within a range, both ends included. */
export interface NumberParameter {
	readonly meaning: string
	readonly default: number
	readonly low: number
	readonly high: number
	/** Only whole numbers. */
	readonly isWhole?: boolean
}

/** One of a few words. */
export interface WordParameter {
	readonly meaning: string
	readonly default: string
	readonly choices: readonly string[]
}

export type ParameterTable = Readonly<Record<string, NumberParameter | WordParameter>>

/** The values of a table's parameters. */
export type Values<Table extends ParameterTable> = {
	readonly [Name in keyof Table]: Table[Name] extends NumberParameter ? number : string
}

/**
 * Defaults, and what was told instead.
 *
 * @param told name → value as typed or as given by a program
 * @throws UsageError `unknown-parameter`, `bad-parameter`
 */
export function parameterValues<Table extends ParameterTable>(
	table: Table,
	told: Readonly<Record<string, string | number>>,
	method: string,
): Values<Table> {
	for (const name of Object.keys(told)) {
		if (name in table) continue
		const known = Object.keys(table).join(', ') || 'none'
		throw new UsageError('unknown-parameter', `--set ${name}: ${method} has no such parameter; it has: ${known}`)
	}
	const values = Object.entries(table).map(([name, parameter]) => {
		const value = told[name]
		return [name, value === undefined ? parameter.default : parsed(name, parameter, value)] as const
	})
	// Each entry is a number or a word as its parameter is.
	return Object.fromEntries(values) as Values<Table>
}

function parsed(name: string, parameter: NumberParameter | WordParameter, value: string | number): number | string {
	const expected = rangeOf(parameter)
	if ('choices' in parameter) {
		if (parameter.choices.includes(String(value))) return String(value)
	} else {
		const number = String(value).trim() === '' ? Number.NaN : Number(value)
		const isWithin = number >= parameter.low && number <= parameter.high
		if (isWithin && (!parameter.isWhole || Number.isInteger(number))) return number
	}
	throw new UsageError('bad-parameter', `--set ${name}: expected ${expected}, found ${value}`)
}

/** What a parameter takes, in words: `a whole number, 1 to 100`. */
export function rangeOf(parameter: NumberParameter | WordParameter): string {
	if ('choices' in parameter) return parameter.choices.join(' or ')
	const { low, high, isWhole = false } = parameter
	const kind = isWhole ? 'a whole number' : 'a number'
	return Number.isFinite(high) ? `${kind}, ${low} to ${high}` : `${kind} of at least ${low}`
}
