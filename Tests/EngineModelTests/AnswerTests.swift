import EngineModel
import Testing

/// What the simulated model says, and how it may be cut.
struct AnswerTests {
    let tokenizer = Tokenizer()

    private func answer(to tokens: [Int32], count: Int, seed: UInt64 = 0) throws -> [Int32] {
        var driver = EngineDriver { $0.seed = seed }
        let id = try driver.submit(tokens, maximumTokens: count)
        driver.drain()
        return try #require(driver.tokens[id])
    }

    @Test func theSameSeedSaysTheSame() throws {
        let first = try answer(to: prompt(50), count: 200)
        #expect(try answer(to: prompt(50), count: 200) == first)
        #expect(try answer(to: prompt(50), count: 200, seed: 1) != first)
        var other = prompt(50)
        other[3] += 1
        #expect(try answer(to: other, count: 200) != first, "one token of the prompt changes the answer")
    }

    @Test(arguments: [1, 7, 16, 26, 99])
    func cutAndResumedByTokenIDsIsTheWhole(cut: Int) throws {
        let start = tokenizer.encode("Tell me about the sea.")
        let whole = try answer(to: start, count: 100)
        let resumed = try answer(to: start + whole[..<cut], count: 100 - cut)
        #expect(Array(whole[..<cut]) + resumed == whole)
    }

    @Test func cutByTextOftenDiffers() throws {
        var different = 0
        for number in 0..<40 {
            let start = tokenizer.encode("Question number \(number): why?")
            let whole = try answer(to: start, count: 60)
            let text = tokenizer.decode(Array(whole[..<30]))
            let read = tokenizer.encode(text)
            if try answer(to: start + read, count: 30) != Array(whole[30...]) { different += 1 }
        }
        #expect(different >= 10, "\(different) of 40")
        #expect(different < 40, "\(different) of 40")
    }

    @Test func positionDependentSamplingCannotBeResumed() throws {
        func run(_ tokens: [Int32], _ count: Int) throws -> [Int32] {
            var driver = EngineDriver()
            let id = try driver.submit(tokens, maximumTokens: count) {
                $0.dependsOnPosition = true
                $0.sampling = 4
            }
            driver.drain()
            return try #require(driver.tokens[id])
        }
        let whole = try run(prompt(20), 40)
        #expect(try run(prompt(20), 40) == whole)
        #expect(try run(prompt(20) + whole[..<20], 20) != Array(whole[20...]))
    }

    @Test func answersEndByThemselvesAfterAPlausibleLength() throws {
        var lengths: [Int] = []
        for salt in 0..<200 {
            var driver = EngineDriver { $0.meanOutputTokens = 50 }
            let id = try driver.submit(prompt(20, salt: Int32(salt)), maximumTokens: 5000) { $0.ignoresEnd = false }
            driver.drain()
            #expect(driver.finishes[id] == .stop)
            #expect(driver.tokens[id]?.last == Token.endOfSequence)
            lengths.append(driver.tokens[id]?.count ?? 0)
        }
        let mean = Double(lengths.reduce(0, +)) / 200
        #expect((35...65).contains(mean), "mean \(mean)")
    }

    @Test func minimumTokensAndStopTokensCount() throws {
        let free = try answer(to: prompt(20), count: 100)
        var driver = EngineDriver { $0.meanOutputTokens = 3 }
        let id = try driver.submit(prompt(20), maximumTokens: 500) {
            $0.ignoresEnd = false
            $0.minimumTokens = 40
        }
        let stopped = try driver.submit(prompt(20), maximumTokens: 100) { $0.stopTokens = [free[9]] }
        driver.drain()
        #expect((driver.tokens[id]?.count ?? 0) > 40)
        #expect(driver.tokens[id]?.prefix(40).contains(Token.endOfSequence) == false)
        #expect(driver.finishes[stopped] == .stop)
        #expect(driver.tokens[stopped]?.last == free[9])
        #expect((driver.tokens[stopped]?.count ?? 100) <= 10)
    }

    @Test func answersHoldCharactersOfSeveralBytes() throws {
        let text = tokenizer.decode(try answer(to: prompt(30), count: 2000))
        #expect(text.unicodeScalars.contains { $0.value > 0xffff }, "emoji")
        #expect(text.contains("潮") && text.contains("é"))
        #expect(!text.dropLast().contains("\u{fffd}"))
    }
}
