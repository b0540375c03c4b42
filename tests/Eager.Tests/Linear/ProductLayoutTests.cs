namespace Fusion.Tests;

/// <summary>The bits of a matrix product do not depend on how its operands lie in memory.</summary>
public sealed class ProductLayoutTests
{
    public static TheoryData<int, int, int> Sizes
    {
        get
        {
            TheoryData<int, int, int> sizes = [];
            foreach (int m in (int[])[1, 3, 5, 70])
                foreach (int n in (int[])[1, 3, 5, 70])
                    foreach (int k in (int[])[63, 64, 300]) sizes.Add(m, n, k);
            return sizes;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void RowMajorColumnMajorAndStridedOperandsGiveTheSameBits(int m, int n, int k)
    {
        foreach (DType dtype in (DType[])[DType.Float32, DType.Float64])
        {
            foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
            {
                NDArray a = TestArrays.Uniform(ta ? (k, m) : (m, k), 1, dtype), b = TestArrays.Uniform(tb ? (n, k) : (k, n), 2, dtype);
                NDArray expected = a.Dot(b, ta, tb);
                foreach (NDArray x in Layouts(a))
                    foreach (NDArray y in Layouts(b))
                        Assert.Null(Bits.Difference(expected, x.Dot(y, ta, tb)));
            }

            NDArray left = TestArrays.Uniform((2, m, k), 1, dtype), right = TestArrays.Uniform((2, k, n), 2, dtype);
            Assert.Null(Bits.Difference(left.MatMul(right), left.Transpose(0, 2, 1).Copy().Transpose(0, 2, 1).MatMul(right.Transpose(0, 2, 1).Copy().Transpose(0, 2, 1))));
        }
    }

    // By rows, by columns, every second element.
    private static NDArray[] Layouts(NDArray x) => [x, x.Transpose().Copy().Transpose(), Nd.Stack([x, x], 2)[.., .., 0]];
}
