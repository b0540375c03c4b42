namespace Fusion;

/// <summary>Memory for the temporary copies that a kernel makes of its operands; valid until the kernel returns.</summary>
internal interface IScratch
{
    /// <summary>A contiguous array with undefined elements.</summary>
    NDArray Take(DType dtype, Shape shape);
}
