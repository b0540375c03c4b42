using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion;

public static partial class Nd
{
    /// <summary>A copy of a tensor of System.Numerics.Tensors, of any strides: arrays are values, so that later writes to the tensor are not seen.</summary>
    /// <exception cref="DTypeException"><typeparamref name="T"/> has no element type.</exception>
    /// <exception cref="ShapeException">An axis has more than 2³¹ − 1 elements.</exception>
    public static NDArray FromTensor<T>(in ReadOnlyTensorSpan<T> tensor)
    {
        DType dtype = DTypes.Of<T>();
        int[] sizes = new int[tensor.Rank];
        for (int i = 0; i < sizes.Length; i++)
        {
            nint length = tensor.Lengths[i];
            sizes[i] = length <= int.MaxValue ? (int)length : throw new ShapeException($"FromTensor: axis {i} has {length} elements. Slice the tensor first.");
        }

        NDArray result = NDArray.Allocate(dtype, sizes);
        if (result.Size > 0) tensor.FlattenTo(MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref result.Data), checked((int)result.Size)));
        GC.KeepAlive(result);
        ExecutionState.Current.Tracer?.Created(result);
        return result;
    }

    /// <summary>A copy of a tensor of System.Numerics.Tensors.</summary>
    /// <exception cref="DTypeException"><typeparamref name="T"/> has no element type.</exception>
    public static NDArray FromTensor<T>(Tensor<T> tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return FromTensor(tensor.AsReadOnlyTensorSpan());
    }
}
