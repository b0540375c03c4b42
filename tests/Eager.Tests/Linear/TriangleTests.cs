namespace Fusion.Tests;

public class TriangleTests
{
    [Fact]
    public void TrianglesOfMasksAreMasks()
    {
        NDArray mask = Nd.Ones((2, 3), DType.Bool);

        Assert.Equal([true, false, false, true, true, false], Nd.Tril(mask).ToArray<bool>());
        Assert.Equal([false, true, true, false, false, true], Nd.Triu(mask, 1).ToArray<bool>());
        Assert.Equal(new bool[6], Nd.Tril(Nd.Zeros((2, 3), DType.Bool)).ToArray<bool>());
    }

    [Fact]
    public void TrianglesKeepTheType() => Assert.All(Enum.GetValues<DType>(), static dtype =>
    {
        NDArray x = Nd.Ones((3, 3), dtype);

        Assert.Equal(dtype, Nd.Tril(x).DType);
        Assert.Equal(dtype, Nd.Triu(x).DType);
    });
}
