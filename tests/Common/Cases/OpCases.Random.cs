namespace Fusion.Tests;

// Random numbers: the same in every mode; their distributions have tests of their own.
internal static partial class OpCases
{
    internal static readonly OpCase[] RandomNumbers =
    [
        Draw(OpTable.RandomUniform, "", static () => Nd.Random.Uniform(-1, 3, (7, 19)), DType.Float32, static v => v is >= -1 and < 3) with
        {
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>("bounds in the wrong order", static () => Nd.Random.Uniform(1, 0, 3), "Uniform", "1", "0"),
                Rejection.Of<DTypeException>("integers", static () => Nd.Random.Uniform(0, 1, 3, DType.Int32), "Uniform", "Int32"),
            ],
        },
        Draw(OpTable.RandomUniform, "Float64", static () => Nd.Random.Uniform(0, 1, 1001, DType.Float64), DType.Float64, static v => v is >= 0 and < 1),
        Draw(OpTable.RandomUniform, "many", static () => Nd.Random.Uniform(0, 1, 50_000), DType.Float32, static v => v is >= 0 and < 1),
        Draw(OpTable.RandomNormal, "", static () => Nd.Random.Normal(1, 2, (7, 19)), DType.Float32, double.IsFinite) with
        {
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>("a negative deviation", static () => Nd.Random.Normal(0, -1, 3), "Normal", "-1"),
                Rejection.Of<DTypeException>("integers", static () => Nd.Random.Normal(0, 1, 3, DType.Int32), "Normal", "Int32"),
            ],
        },
        Draw(OpTable.RandomNormal, "Float64", static () => Nd.Random.Normal(0, 1, 1001, DType.Float64), DType.Float64, double.IsFinite),
        Draw(OpTable.RandomBernoulli, "", static () => Nd.Random.Bernoulli(0.3, (7, 19)), DType.Float32, static v => v is 0 or 1) with
        {
            Rejects = [Rejection.Of<ArgumentOutOfRangeException>("no probability", static () => Nd.Random.Bernoulli(1.5, 3), "Bernoulli", "1.5")],
        },
        Draw(OpTable.RandomBernoulli, "Bool", static () => Nd.Random.Bernoulli(0.7, 1001, DType.Bool), DType.Bool, static v => v is 0 or 1),
        Draw(OpTable.RandomInteger, "", static () => Nd.Random.RandInt(-3, 4, (7, 19)), DType.Int32, static v => v is >= -3 and < 4) with
        {
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>("an empty interval", static () => Nd.Random.RandInt(3, 3, 3), "RandInt", "[3, 3)"),
                Rejection.Of<ArgumentOutOfRangeException>(
                    "bounds outside the type",
                    static () => Nd.Random.RandInt(0, 300, 3, DType.UInt8),
                    "RandInt",
                    "299",
                    "UInt8"),
                Rejection.Of<DTypeException>("floating point", static () => Nd.Random.RandInt(0, 3, 3, DType.Float32), "RandInt", "Float32"),
            ],
        },
        Draw(OpTable.RandomInteger, "Int64", static () => Nd.Random.RandInt(long.MinValue, long.MaxValue, 1001, DType.Int64), DType.Int64, static _ => true),
        Draw(OpTable.RandomPermutation, "", static () => Nd.Random.Permutation(101), DType.Int32, static v => v is >= 0 and < 101) with
        {
            Rejects = [Rejection.Of<ArgumentOutOfRangeException>("a negative number", static () => Nd.Random.Permutation(-1))],
        },
    ];

    private static OpCase Draw(Op row, string detail, Func<NDArray> call, DType dtype, Func<double, bool> holds) =>
        Case(row, detail, _ => call(), null, [[]]) with
        {
            DTypes = [dtype],
            Order = 0,
            Property = x => RefArray.Of(x).Values.All(holds) ? RefArray.Of(x).Values.Distinct().Count() > 1 ? null : "all numbers are equal" : "one lies outside",
        };
}
