/// Elementary functions by their series: no mathematics library takes part, so every platform gets the same numbers.
package enum Series {
    /// The argument is halved until it is small; exact to 1e-9 for |x| ≤ 8, and held within ±700.
    package static func exponential(_ argument: Double) -> Double {
        let bounded = min(700, max(-700, argument))
        if bounded > 0.25 || bounded < -0.25 {
            let half = exponential(bounded / 2)
            return half * half
        }
        var term = 1.0
        var sum = 1.0
        for power in 1...8 {
            term *= bounded / Double(power)
            sum += term
        }
        return sum
    }

    /// Of a positive number; exact to 1e-9.
    package static func logarithm(_ argument: Double) -> Double {
        let ratio = (argument.significand - 1) / (argument.significand + 1)
        var power = ratio
        var sum = 0.0
        for index in 0..<12 {
            sum += power / Double(2 * index + 1)
            power *= ratio * ratio
        }
        return 2 * sum + Double(argument.exponent) * 0.693_147_180_559_945_3
    }

    /// Of an angle in turns (1: all round); exact to 1e-9 up to a million turns.
    package static func sine(turns: Double) -> Double {
        // Within a quarter turn of 0: beyond it the sine goes back the way it came.
        var part = turns - turns.rounded()
        if part > 0.25 { part = 0.5 - part } else if part < -0.25 { part = -0.5 - part }
        let angle = part * 2 * Double.pi
        var term = angle
        var sum = angle
        for index in 1...8 {
            term *= -angle * angle / Double(2 * index * (2 * index + 1))
            sum += term
        }
        return sum
    }
}
