namespace Fusion;

/// <summary>Group normalization on an accelerator, of row programs, element-wise kernels and reductions.</summary>
internal static class DeviceGroups
{
    public static void Normalize(NDArray x, NDArray gamma, NDArray beta, GroupNormAttributes attributes, NDArray y) => Movement.Compose(y,
        () => (OpTable.GroupStandardized(x, attributes) * PerChannel(gamma, x.Rank)) + PerChannel(beta, x.Rank));

    public static void Gradient(NDArray x, NDArray gamma, NDArray g, GroupNormAttributes attributes, NDArray dx) => Movement.Compose(dx,
        () => OpTable.GroupGradient(x, g * PerChannel(gamma, x.Rank), attributes));

    public static void Sums(NDArray x, NDArray g, GroupNormAttributes attributes, NDArray sums) => Movement.Compose(sums, () =>
    {
        int[] axes = [.. Enumerable.Range(2, x.Rank - 2)];
        return Nd.Stack([Nd.Sum(g, axes), Nd.Sum(g * OpTable.GroupStandardized(x, attributes), axes)]);
    });

    private static NDArray PerChannel(NDArray values, int rank) => Nd.Reshape(values, [values.Shape[0], .. Enumerable.Repeat(1, rank - 2)]);
}
