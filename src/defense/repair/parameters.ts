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

/** Some numbers within a range, at least one, typed with commas between them. */
export interface ListParameter {
	readonly meaning: string
	readonly default: readonly number[]
	readonly low: number
	readonly high: number
}

/** Any text: the name of something in the net. */
export interface TextParameter {
	readonly meaning: string
	readonly default: string
	/** What it names, in words: `a layer's name`. */
	readonly kind: string
}

export type Parameter = NumberParameter | WordParameter | ListParameter | TextParameter
export type ParameterTable = Readonly<Record<string, Parameter>>
export type ParameterValue = number | string | readonly number[]

/** The values of a table's parameters. */
export type Values<Table extends ParameterTable> = {
	readonly [Name in keyof Table]: Table[Name] extends NumberParameter
		? number
		: Table[Name] extends ListParameter
			? readonly number[]
			: string
}

/**
 * Defaults, and what was told instead.
 *
 * @param told name → value as typed or as given by a program
 * @throws UsageError `unknown-parameter`, `bad-parameter`
 */
export function parameterValues<Table extends ParameterTable>(
	table: Table,
	told: Readonly<Record<string, ParameterValue>>,
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
	// Each entry is of the kind that its parameter is.
	return Object.fromEntries(values) as Values<Table>
}

function parsed(name: string, parameter: Parameter, value: ParameterValue): ParameterValue {
	const text = String(value)
	if ('kind' in parameter) {
		if (text.trim() !== '') return text
	} else if ('choices' in parameter) {
		if (parameter.choices.includes(text)) return text
	} else if (isList(parameter)) {
		const numbers = typeof value === 'object' ? value : text.split(',').map(toNumber)
		if (numbers.length > 0 && numbers.every((number) => isWithin(number, parameter))) return [...numbers]
	} else {
		const number = toNumber(text)
		if (isWithin(number, parameter) && (!parameter.isWhole || Number.isInteger(number))) return number
	}
	throw new UsageError('bad-parameter', `--set ${name}: expected ${rangeOf(parameter)}, found ${text || 'nothing'}`)
}

function isList(parameter: NumberParameter | ListParameter): parameter is ListParameter {
	return Array.isArray(parameter.default)
}

function toNumber(text: string): number {
	return text.trim() === '' ? Number.NaN : Number(text)
}

function isWithin(number: number, { low, high }: Pick<NumberParameter, 'low' | 'high'>): boolean {
	return number >= low && number <= high
}

/** What a parameter takes, in words: `a whole number, 1 to 100`. */
export function rangeOf(parameter: Parameter): string {
	if ('kind' in parameter) return parameter.kind
	if ('choices' in parameter) return parameter.choices.join(' or ')
	const { low, high } = parameter
	if (isList(parameter)) return `numbers, ${low} to ${high} each`
	const kind = parameter.isWhole ? 'a whole number' : 'a number'
	return Number.isFinite(high) ? `${kind}, ${low} to ${high}` : `${kind} of at least ${low}`
}
